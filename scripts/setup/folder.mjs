// Folders that are there whole or not at all: they are filled under another name and then renamed, so that an
// interrupted set-up leaves nothing that a later one would take for done.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Calls `fill` with an empty folder and, when it succeeds, puts that folder at `target`. */
export async function fillFolder(target, fill) {
  const parent = dirname(target)
  const draftPrefix = `.draft-${basename(target)}-`
  mkdirSync(parent, { recursive: true })
  // What an interrupted set-up left; only one set-up works at a time (lock.mjs).
  for (const entry of readdirSync(parent))
    if (entry.startsWith(draftPrefix)) rmSync(join(parent, entry), { recursive: true, force: true })
  const draft = join(parent, `${draftPrefix}${process.pid}`)
  mkdirSync(draft)
  try {
    await fill(draft)
    rmSync(target, { recursive: true, force: true })
    renameSync(draft, target)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
