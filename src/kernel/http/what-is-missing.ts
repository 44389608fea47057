/** A call that was answered with *not found*. */
export interface NotFound {
  readonly url: string
  /** The address as the table of routes has it, with parameters in braces; absent where the caller made it up by hand. */
  readonly path: string | undefined
}

/**
 * What was not found, in a sentence. Whether it is not there or only not for this caller, the other side does not say. What a
 * parameter is called follows from the part of the address before it, so that a new route has its words without being named here.
 */
export function whatIsMissing({ url, path = '' }: NotFound): string {
  const { host, pathname, searchParams } = new URL(url)
  const [, ofPerson] = /^\/v1\/people\/\{\w+\}(?:\/([\w-]+))?/.exec(path) ?? []
  if (ofPerson !== undefined)
    return `There is no such ${OF_PERSON[ofPerson] ?? 'person'} at ${host}, or it is not open to you; check the key`
  if (path.startsWith('/v1/grants'))
    return `There is no such data set or person at ${host}, or it is not open to you; check the names`
  const named = namedIn(path, pathname)
  const dataSet = searchParams.get('dataSet')
  // A list is there; what the message says of it is not.
  if (named.length === 0 && dataSet === null) {
    // Every server of ours says who it is to everybody.
    if (SELF.has(path))
      return `No ${singularOf(path.slice(4))} of Hedgerow answers at ${host}; check the address`
    const about = singularOf(path.split('/').at(-1) ?? '') || 'request'
    return `There is no such thing at ${host} as the ${about} is about, or it is not open to you; check the names in it`
  }
  const what = named.length === 0 ? `data set "${dataSet}"` : named.join(' or ')
  return `There is no ${what} at ${host}, or it is not open to you; check the name`
}

/** Where a site or a network says who it is. */
const SELF: ReadonlySet<string> = new Set(['/v1/site', '/v1/network'])

/** What of a person was asked for: that the person is there and this is not, the other side does not tell apart. */
const OF_PERSON: Readonly<Record<string, string>> = {
  'age-evidence': 'person or evidence',
  correction: 'person, data set or row',
  objections: 'person or data set',
  restriction: 'person, or no restriction of them,',
}

/** `site "galway"` of `/v1/sites/{id}/offers`, and what else has a name in it. */
function namedIn(path: string, pathname: string): readonly string[] {
  const values = pathname.split('/').slice(-path.split('/').length)
  return path.split('/').flatMap((part, index, parts) => {
    const value = values[index]
    if (!part.startsWith('{') || value === undefined) return []
    return [`${singularOf(parts[index - 1] ?? '')} "${decodeURIComponent(value)}"`]
  })
}

/** One of what a part of an address lists. */
function singularOf(part: string): string {
  return IRREGULAR[part] ?? part.replace(/ies$/, 'y').replace(/s$/, '').replaceAll('-', ' ')
}

const IRREGULAR: Readonly<Record<string, string>> = {
  bases: 'basis',
  'data-rights-request': 'request',
  datasets: 'data set',
  holds: 'hold of',
  'sub-processors': 'sub-processor',
  transfers: 'ground for transfers',
  witness: 'log of the site',
}
