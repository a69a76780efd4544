// Events on standard output. A reader that stalls loses events there, and nowhere else.
import type { SettingValues } from '#platform'
import { type Sink, readableEvent } from '#traffic'

/** Bytes that may wait for the reader. */
const mostWaiting = 16 * 1024 * 1024

function print(line: string): void {
  if (process.stdout.writableLength < mostWaiting) process.stdout.write(`${line}\n`)
}

export function printEvents(format: SettingValues['traffic.print']): readonly Sink[] {
  switch (format) {
    case 'none':
      return []
    case 'json':
      return [(_event, json) => print(json)]
    case 'text':
      return [(event) => print(readableEvent(event))]
    default:
      return format satisfies never
  }
}
