import { createRequire } from 'node:module'

/** The version of this package, as package.json has it. */
export function packageVersion(): string {
  const found: unknown = createRequire(import.meta.url)('../../package.json')
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : '0'
}
