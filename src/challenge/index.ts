// Challenge: tells people from programs.
export { type ChallengeAnswer, type ChallengeType, type Challenges, createChallenges } from './challenges.ts'
export { proofCookies, withoutProofs } from './proof-cookies.ts'
