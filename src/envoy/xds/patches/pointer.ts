// JSON pointers (RFC 6901): how a patch and a message about it say where something stands.

export type Path = readonly string[]

const token = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`

export const pointerOf = (path: Path): string => path.map(token).join('')

/** @param pointer empty or with a `/` in front */
export const pathOf = (pointer: string): Path =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
