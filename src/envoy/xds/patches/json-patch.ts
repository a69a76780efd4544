// JSON patches (RFC 6902): operations one after the other, each on what the one before left. Nothing is changed in place,
// and a patch that cannot be applied whole is not applied at all.
import type { PatchOperation } from '#config'
import { type Json, type JsonObject, isObject } from '../json.ts'
import { type Path, pathOf, pointerOf } from './pointer.ts'
import { sameJson } from './same-json.ts'

export class PatchFailed extends Error {
  override readonly name = 'PatchFailed'
  readonly pointer: string
  constructor(pointer: string, reason: string) {
    super(reason)
    this.pointer = pointer
  }
}

/** What stands at one place becomes something else; undefined takes it away. */
type Edit = (value: Json | undefined, list: 'in a list' | 'in an object') => Json | undefined

const index = /^(?:0|[1-9]\d{0,8})$/

function editList(list: readonly Json[], key: string, path: Path, at: number, edit: Edit): Json {
  const isLast = at === path.length - 1
  const where = pointerOf(path.slice(0, at + 1))
  // One behind the end, where something may be added.
  const place = key === '-' && isLast ? list.length : index.test(key) ? Number(key) : NaN
  if (!(place <= list.length)) throw new PatchFailed(where, 'no such element')
  if (isLast) {
    const made = edit(place < list.length ? list[place] : undefined, 'in a list')
    return made === undefined ? list.toSpliced(place, 1) : list.toSpliced(place, 1, made)
  }
  const inner = list[place]
  if (inner === undefined) throw new PatchFailed(where, 'no such element')
  return list.with(place, editAt(inner, path, at + 1, edit))
}

function editObject(object: JsonObject, key: string, path: Path, at: number, edit: Edit): Json {
  const current = Object.hasOwn(object, key) ? object[key] : undefined
  const isLast = at === path.length - 1
  if (!isLast && current === undefined)
    throw new PatchFailed(pointerOf(path.slice(0, at + 1)), 'no such field')
  const made = isLast ? edit(current, 'in an object') : editAt(current ?? null, path, at + 1, edit)
  const rest = Object.entries(object).filter(([name]) => name !== key)
  return Object.fromEntries(made === undefined ? rest : [...rest, [key, made]])
}

function editAt(value: Json, path: Path, at: number, edit: Edit): Json {
  const key = path[at]
  if (key === undefined) return edit(value, 'in an object') ?? null
  if (Array.isArray(value)) return editList(value, key, path, at, edit)
  if (isObject(value)) return editObject(value, key, path, at, edit)
  throw new PatchFailed(pointerOf(path.slice(0, at + 1)), 'no such field')
}

function valueAt(document: Json, pointer: string): Json {
  let value: Json | undefined = document
  for (const key of pathOf(pointer)) {
    if (Array.isArray(value)) value = index.test(key) ? (value as readonly Json[])[Number(key)] : undefined
    else value = value !== undefined && isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
    if (value === undefined) throw new PatchFailed(pointer, 'there is nothing')
  }
  return value
}

function add(document: Json, pointer: string, value: Json): Json {
  const path = pathOf(pointer)
  const parent = valueAt(document, pointerOf(path.slice(0, -1)))
  if (path.length === 0 || !Array.isArray(parent)) return editAt(document, path, 0, () => value)
  const list = parent as readonly Json[]
  const key = path.at(-1) ?? ''
  const place = key === '-' ? list.length : index.test(key) ? Number(key) : NaN
  if (!(place <= list.length)) throw new PatchFailed(pointer, 'no such element')
  return editAt(document, path.slice(0, -1), 0, () => list.toSpliced(place, 0, value))
}

function remove(document: Json, pointer: string): Json {
  valueAt(document, pointer)
  return editAt(document, pathOf(pointer), 0, () => undefined)
}

function replace(document: Json, pointer: string, value: Json): Json {
  valueAt(document, pointer)
  return editAt(document, pathOf(pointer), 0, () => value)
}

function apply(document: Json, operation: PatchOperation): Json {
  const { path } = operation
  switch (operation.op) {
    case 'add':
      return add(document, path, operation.value as Json)
    case 'replace':
      return replace(document, path, operation.value as Json)
    case 'remove':
      return remove(document, path)
    case 'test':
      if (!sameJson(valueAt(document, path), operation.value as Json))
        throw new PatchFailed(path, 'the test does not hold')
      return document
    case 'copy':
      return add(document, path, valueAt(document, operation.from))
    case 'move': {
      if (path.startsWith(`${operation.from}/`)) throw new PatchFailed(path, 'nothing can move into itself')
      const moved = valueAt(document, operation.from)
      return add(remove(document, operation.from), path, moved)
    }
    default:
      return operation satisfies never
  }
}

/** Throws PatchFailed with the place of the first operation that cannot be done. */
export const jsonPatch = (document: Json, operations: readonly PatchOperation[]): Json =>
  operations.reduce(apply, document)
