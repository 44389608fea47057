const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  EEXIST: 'it is there already',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENAMETOOLONG: 'the name is too long',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
}

/** What a code of the operating system means for whoever named a file; the code itself where that says as much. */
export function systemWords(code: string): string {
  return WORDS[code] ?? code
}
