// Prints the labelled corpus as JSON lines, the input of `weir inspect`:
//   node test/detection/corpus.ts | bin/weir inspect --requests -
import { attackRequests } from './attack-requests.ts'
import { benignRequests } from './benign-requests.ts'
import type { CorpusRequest } from './placements.ts'

export const corpus = (): readonly CorpusRequest[] => [...attackRequests(), ...benignRequests()]

if (import.meta.main) for (const request of corpus()) process.stdout.write(`${JSON.stringify(request)}\n`)
