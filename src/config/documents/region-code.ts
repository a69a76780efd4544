// Short codes of places, as Envoys and filters say them of themselves (`node.locality.region`).
export const isRegionCode = (code: string): boolean => /^[A-Za-z0-9_-]{1,32}$/.test(code)
