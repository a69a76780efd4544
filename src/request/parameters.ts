// Collects named values into Parameters: a name that occurs again adds a value (spec pipeline 1.6, 1.7). The joined text
// is made once, at the end, because joining at each repetition would cost the square of their number.
import type { Parameter, Parameters, Place } from './request.ts'

type Draft = {
  readonly name: string
  value: string
  readonly values: string[]
  besideBody: string[] | undefined
  readonly place: Place
  lengthExempt: boolean
}

export type ParameterList = {
  add(name: string, value: string, place: Place, lengthExempt?: boolean): void
  /** What was collected, in order of first appearance; the list must not be used afterwards. */
  finish(): Parameters
}

/** `separator` stands between the values of one name: `, ` for headers, one space else. */
export const createParameterList = (separator: ' ' | ', '): ParameterList => new List(separator)

class List implements ParameterList {
  readonly #separator: ' ' | ', '
  readonly #found = new Map<string, Draft>()
  #repeated: Set<Draft> | undefined

  constructor(separator: ' ' | ', ') {
    this.#separator = separator
  }

  add(name: string, value: string, place: Place, lengthExempt = false): void {
    const known = this.#found.get(name)
    if (known === undefined) {
      this.#found.set(name, { name, value, values: [value], besideBody: undefined, place, lengthExempt })
      return
    }
    if (known.besideBody !== undefined) {
      if (place !== 'body') known.besideBody.push(value)
    } else if (place !== known.place && (place === 'body' || known.place === 'body')) {
      known.besideBody = place === 'body' ? [...known.values] : [value]
    }
    known.values.push(value)
    // One value that Max length is about is enough for the whole.
    known.lengthExempt &&= lengthExempt
    this.#repeated ??= new Set()
    this.#repeated.add(known)
  }

  finish(): Parameters {
    if (this.#repeated !== undefined)
      for (const draft of this.#repeated) draft.value = draft.values.join(this.#separator)
    return this.#found satisfies ReadonlyMap<string, Parameter>
  }
}
