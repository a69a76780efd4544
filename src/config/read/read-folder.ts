// A folder of documents: one file per namespace, JSON or YAML. Reads all of it and reports everything that is wrong.
import { type Dirent, readFileSync, readdirSync, statSync } from 'node:fs'
import { isUtf8 } from 'node:buffer'
import { extname, join } from 'node:path'
import { closest } from '../closest.ts'
import { documents, notUsedNamespaces } from '../documents/index.ts'
import { finding, notUsedYet } from '../findings.ts'
import { type Findings, reportAt } from '../problem.ts'
import { isList } from '../schema/json.ts'
import { type Parsed, parseJson } from './json-text.ts'
import { parseYaml } from './yaml-text.ts'

/** The entries of one namespace, and the file that they stand in. */
export type Raw = {
  readonly file: string
  readonly entries: readonly unknown[]
  /** False when the file could not be read as a whole: what it would have held is unknown. */
  readonly complete: boolean
}

/** Larger files are not read: no configuration needs them, and a mistake must not take all memory. */
const largestFile = 64 * 1024 * 1024

const parsers: Readonly<Record<string, (text: string) => Parsed>> = {
  '.json': parseJson,
  '.yaml': parseYaml,
  '.yml': parseYaml,
}

const namespaces: readonly string[] = documents.map(({ namespace }) => namespace)
const unused: readonly string[] = notUsedNamespaces
const known = [...namespaces, ...unused]

/** What people keep beside documents. */
const isOther = ({ name }: Dirent): boolean =>
  name.startsWith('.') || /^readme/i.test(name) || name.endsWith('~')

function listFiles(folder: string, findings: Findings): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !isOther(entry))
      .map(({ name }) => name)
      .filter((name) => !statSync(join(folder, name)).isDirectory())
      .toSorted()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    reportAt(findings, { file: folder, document: '', entry: '' }).problem(
      '',
      finding(`the folder cannot be read: ${reason}`, 'Name an existing folder of documents.'),
    )
    return []
  }
}

function readText(path: string): string | { readonly why: string } {
  try {
    if (statSync(path).size > largestFile) return { why: `larger than ${String(largestFile / 2 ** 20)} MiB` }
    const bytes = readFileSync(path)
    return isUtf8(bytes) ? bytes.toString('utf8').replace(/^\ufeff/, '') : { why: 'not UTF-8' }
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) }
  }
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
    report.problem('', finding('must be a list of entries', 'Write the entries in one list: [ {…}, {…} ].'))
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
    if (!(extension in parsers) || !known.includes(namespace)) {
      const near = closest(namespace, known)
      report.problem(
        '',
        finding(
          'not a document of the configuration',
          `${near === undefined ? '' : `Did you mean "${near}${extension in parsers ? extension : '.json'}"? `}Move it out of the folder; known are ${known.join(', ')} with .json, .yaml or .yml.`,
        ),
      )
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
    if (unused.includes(namespace)) {
      report.warning('', notUsedYet(namespace))
      continue
    }
    const entries = readFile(folder, file, namespace, findings)
    read.set(namespace, { file, entries: entries ?? [], complete: entries !== undefined })
  }
  return read
}
