import canonicalize from 'canonicalize'

/** Any JSON value. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/**
 * The canonical text of a JSON value (RFC 8785). Members that are `undefined` are left out.
 *
 * @throws when the value has no JSON form (a bigint, a function, `NaN`): that is a bug of the caller.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('Cannot write canonical JSON: the value has no JSON form')
  return text
}
