/**
 * What stands in place of a file or directory that is not there: `readFile(path).catch(whenMissing(undefined))`. Every other
 * error stays one.
 */
export function whenMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}
