// A folder of documents: one file per namespace, JSON or YAML. Reads all of it and reports everything that is wrong.
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { isUtf8 } from 'node:buffer'
import { extname, join } from 'node:path'
import { whyUnreadable } from '#platform'
import { finding, notUsedYet } from '../findings.ts'
import { type Findings, reportAt } from '../problem.ts'
import { isList } from '../schema/json.ts'
import { fileBytes } from './file-bytes.ts'
import { notDocument, notList, useOf } from './namespaces.ts'
import { type Parsed, parseJson } from './json-text.ts'
import { parseYaml } from './yaml-text.ts'

/** The entries of one namespace, and the file that they stand in. */
export type Raw = {
  readonly file: string
  readonly entries: readonly unknown[]
  /** False when the file could not be read as a whole: what it would have held is unknown. */
  readonly complete: boolean
}

const parsers: Readonly<Record<string, (text: string) => Parsed>> = {
  '.json': parseJson,
  '.yaml': parseYaml,
  '.yml': parseYaml,
}

/** What people keep beside documents. */
const isOther = ({ name }: Dirent): boolean =>
  name.startsWith('.') || /^readme/i.test(name) || name.endsWith('~')

const isDocument = (file: string): boolean => {
  const extension = extname(file)
  return extension in parsers && useOf(file.slice(0, file.length - extension.length)) !== 'unknown'
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function listFiles(folder: string, findings: Findings): readonly string[] {
  try {
    return (
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => !isOther(entry))
        .map(({ name }) => name)
        // A folder in the place of a document is a mistake, any other is somebody's.
        .filter((name) => isDocument(name) || !isFolder(join(folder, name)))
        .toSorted()
    )
  } catch (error) {
    reportAt(findings, { file: folder, document: '', entry: '' }).problem(
      '',
      finding(
        `the folder cannot be read: ${whyUnreadable(error)}`,
        'Name a folder of documents; a relative name begins at the working directory.',
      ),
    )
    return []
  }
}

function readText(path: string): string | { readonly why: string } {
  const bytes = fileBytes(path)
  if (!Buffer.isBuffer(bytes)) return bytes
  return isUtf8(bytes) ? bytes.toString('utf8').replace(/^\ufeff/, '') : { why: 'not UTF-8' }
}

function readFile(
  folder: string,
  file: string,
  namespace: string,
  findings: Findings,
): readonly unknown[] | undefined {
  const report = reportAt(findings, { file, document: namespace, entry: '' })
  const text = readText(join(folder, file))
  if (typeof text !== 'string') {
    report.problem('', finding(`cannot be read: ${text.why}`, 'Put a readable UTF-8 file in its place.'))
    return undefined
  }
  const kind = extname(file) === '.json' ? 'JSON' : 'YAML'
  const parsed = parsers[extname(file)]?.(text)
  if (parsed === undefined) return undefined
  if (!parsed.ok) {
    const { line, column, why } = parsed.problem
    report.problem(
      '',
      finding(
        `invalid ${kind} at line ${String(line)}, column ${String(column)}: ${why}`,
        `Correct the ${kind} there.`,
      ),
    )
    return undefined
  }
  if (!isList(parsed.value)) {
    report.problem('', notList)
    return undefined
  }
  return parsed.value
}

/** Reads every file of the folder whose name is a namespace; any other file is a problem. */
export function readFolder(folder: string, findings: Findings): ReadonlyMap<string, Raw> {
  const read = new Map<string, Raw>()
  const seen = new Map<string, string>()
  for (const file of listFiles(folder, findings)) {
    const extension = extname(file)
    const namespace = file.slice(0, file.length - extension.length)
    const report = reportAt(findings, { file, document: namespace, entry: '' })
    const readable = extension in parsers
    if (!readable || useOf(namespace) === 'unknown') {
      report.problem('', notDocument(namespace, readable ? extension : '.json'))
      continue
    }
    const other = seen.get(namespace)
    if (other === undefined) seen.set(namespace, file)
    else {
      const first = read.get(namespace)
      if (first !== undefined) read.set(namespace, { ...first, complete: false })
      report.problem('', finding(`two files for ${namespace}: ${other} and ${file}`, 'Keep one of the two.'))
      continue
    }
    if (useOf(namespace) === 'unused') {
      report.warning('', notUsedYet(namespace))
      continue
    }
    const entries = readFile(folder, file, namespace, findings)
    read.set(namespace, { file, entries: entries ?? [], complete: entries !== undefined })
  }
  return read
}
