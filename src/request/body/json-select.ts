// Evaluates a JSONPath over a parsed JSON body: which strings are GraphQL documents (spec pipeline 1.8). The work is
// bounded, because `..` in a row visits a place once for each way that leads to it.
import type { Expression, Operand, Scalar, Segment, Selector } from './json-path.ts'

/** Values that one evaluation looks at before it gives up. */
const mostSteps = 200_000

type Run = { readonly root: unknown; steps: number }

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[]
  return isObject(value) ? Object.values(value) : []
}

/** The value and everything in it, the outer before the inner. */
function withDescendants(run: Run, value: unknown): readonly unknown[] {
  const found: unknown[] = []
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    if (run.steps++ > mostSteps) break
    const next = waiting.pop()
    found.push(next)
    const children = childrenOf(next)
    for (let i = children.length - 1; i >= 0; i--) waiting.push(children[i])
  }
  return found
}

function slice(
  list: readonly unknown[],
  { start, end, step }: Extract<Selector, { by: 'slice' }>,
): readonly unknown[] {
  if (step < 1) return []
  return list.slice(start, end).filter((_value, i) => i % step === 0)
}

function select(run: Run, value: unknown, selector: Selector): readonly unknown[] {
  switch (selector.by) {
    case 'name':
      return isObject(value) && Object.hasOwn(value, selector.name) ? [value[selector.name]] : []
    case 'index':
      return Array.isArray(value) && value.length > 0 ? value.slice(selector.index).slice(0, 1) : []
    case 'slice':
      return Array.isArray(value) ? slice(value, selector) : []
    case 'all':
      return childrenOf(value)
    case 'filter':
      return childrenOf(value).filter((child) => holds(run, selector.condition, child))
    default:
      return selector satisfies never
  }
}

function walk(run: Run, from: unknown, segments: readonly Segment[]): readonly unknown[] {
  let current: readonly unknown[] = [from]
  for (const { descend, selectors } of segments) {
    const next: unknown[] = []
    for (const value of current) {
      for (const place of descend ? withDescendants(run, value) : [value]) {
        if (run.steps++ > mostSteps) return []
        for (const selector of selectors) for (const found of select(run, place, selector)) next.push(found)
      }
    }
    current = next
  }
  return current
}

/** The single value of an operand; undefined if there is none, or more than one. */
function valueOf(run: Run, operand: Operand, element: unknown): unknown {
  if (operand.of === 'literal') return operand.value
  const found = walk(run, operand.root ? run.root : element, operand.segments)
  return found.length === 1 ? found[0] : undefined
}

const isScalar = (value: unknown): value is Scalar => value === null || typeof value !== 'object'

function compare(left: unknown, by: string, right: unknown): boolean {
  if (by === '==') return isScalar(left) && left === right
  if (by === '!=') return left !== right
  const sameKind =
    (typeof left === 'number' && typeof right === 'number') ||
    (typeof left === 'string' && typeof right === 'string')
  if (!sameKind) return false
  if (by === '<') return left < right
  if (by === '<=') return left <= right
  return by === '>' ? left > right : left >= right
}

function holds(run: Run, expression: Expression, element: unknown): boolean {
  switch (expression.is) {
    case 'or':
      return expression.parts.some((part) => holds(run, part, element))
    case 'and':
      return expression.parts.every((part) => holds(run, part, element))
    case 'not':
      return !holds(run, expression.part, element)
    case 'exists':
      return expression.operand.of === 'path'
        ? walk(run, expression.operand.root ? run.root : element, expression.operand.segments).length > 0
        : expression.operand.value === true
    case 'compare':
      return compare(
        valueOf(run, expression.left, element),
        expression.by,
        valueOf(run, expression.right, element),
      )
    case 'match': {
      const value = valueOf(run, expression.left, element)
      return typeof value === 'string' && expression.pattern.test(value)
    }
    default:
      return expression satisfies never
  }
}

/** The strings that the path selects, in document order. */
export function selectStrings(root: unknown, segments: readonly Segment[]): readonly string[] {
  return walk({ root, steps: 0 }, root, segments).filter((value) => typeof value === 'string')
}
