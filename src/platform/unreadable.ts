// Why a file or folder cannot be read, for people who did not write the program: the system's own text is a code, the name of
// a function, and the path once more.

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist, or is a link to what does not',
  ENOTDIR: 'there is a file where a folder should be',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'this process has too many files open',
  ENFILE: 'this machine has too many files open',
  EIO: 'the disk or network file system fails',
}

/** What went wrong on the way to a file, in plain words; of other errors their message. */
export function whyUnreadable(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  if (Object.hasOwn(reasons, code)) return reasons[code] ?? code
  return error instanceof Error ? error.message : code
}
