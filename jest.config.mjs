// Jest runs the sources as the ES modules they are (NODE_OPTIONS=--experimental-vm-modules, set by
// scripts/verify.mjs); swc only strips the types. `unit` and `e2e` are separate projects, because
// the second starts real Envoys and therefore runs a few workers at a time.
const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
  ],
}
const common = {
  testEnvironment: 'node',
  transform,
  extensionsToTreatAsEsm: ['.ts'],
  injectGlobals: false,
}

export default {
  // For tests that hang: what takes a second on a quiet machine takes many on a busy one.
  testTimeout: 120_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/{src,test}/**/*.test.ts'] },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/test/**/*.e2e.ts'] },
  ],
}
