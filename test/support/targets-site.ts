// The site of the differential tests: each entry of its two groups has an origin of its own, so the origin at which a
// request arrives says what Envoy took it for.
import { type Documents, type Entry, contentFilter } from './base.ts'
import { type RecordingOrigin, startRecordingOrigin } from './recording-origin.ts'
import { documentsOf, service } from './sites.ts'

/** Origins by what should arrive there: group and entry. */
export const places = ['www root', 'www admin', 'www static', 'www default', 'other default'] as const
export type Place = (typeof places)[number]

const serviceOf = (place: Place): string => place.replace(' ', '-')

/** Where the filter's word for a request must lead. */
export function placeOf(group: string, entry: string): string {
  const names: Readonly<Record<string, string>> = { __root_entry__: 'root', __default_entry__: 'default' }
  return `${group} ${names[entry] ?? entry}`
}

export async function startPlaces(): Promise<readonly RecordingOrigin[]> {
  return Promise.all(places.map((place) => startRecordingOrigin(place)))
}

const entry = (id: string, match: string, place: Place, more: Entry = {}): Entry => ({
  id,
  name: id,
  match,
  backend_service: serviceOf(place),
  ...more,
})

/** What is tested is which request Envoy and the filter see, so nothing is refused for its content. */
const unfiltered = { content_filter_profile_active: false }

/** @param template fields of both groups' template. */
export function targetsDocuments(origins: readonly RecordingOrigin[], template: Entry): Documents {
  const to = (place: Place): Entry => {
    const origin = origins.find(({ name }) => name === place)
    if (origin === undefined) throw new Error(`no origin for ${place}`)
    return service(serviceOf(place), origin)
  }
  const documents = documentsOf(
    [
      {
        id: 'www',
        service: to('www default'),
        entries: [
          entry('__root_entry__', '^/$', 'www root'),
          entry('admin', '^/admin', 'www admin'),
          entry('static', '^/static/', 'www static', unfiltered),
        ],
        group: { server_names: ['www.example.com', '127.0.0.1', '*.wild.example'] },
      },
      { id: 'other', service: to('other default'), group: { server_names: ['other.example'] } },
    ],
    template,
  )
  const inert: Entry = { ...contentFilter, active: [], report: [] }
  return {
    ...documents,
    'backend-services': [...(documents['backend-services'] ?? []), ...places.slice(0, 3).map(to)],
    'content-filter-profiles': [inert],
  }
}
