/** A marker that was found: which, in which form, and what stands around it. */
export interface FoundMarker {
  readonly marker: string
  readonly form: string
  readonly around: string
}

interface Pattern {
  readonly marker: string
  readonly form: string
  readonly bytes: Buffer
}

/** Characters left and right of a find that are shown. */
const AROUND = 60
/** Encodings inside encodings: a token in JSON in a signed payload is two deep. */
const DEPTH_MAX = 3

/**
 * A search for markers in any bytes: as they are, in UTF-16 of both byte orders, hexadecimal, and base64 and
 * base64url at all three alignments; then again inside everything that reads as base64url.
 */
export function markerSearch(
  markers: readonly string[],
): (bytes: Uint8Array | string) => readonly FoundMarker[] {
  const patterns = markers.flatMap(patternsOf)
  const search = (bytes: Buffer, depth: number): readonly FoundMarker[] => {
    const found: FoundMarker[] = []
    for (const { marker, form, bytes: pattern } of patterns) {
      const at = bytes.indexOf(pattern)
      if (at >= 0) found.push({ marker, form, around: excerpt(bytes, at, pattern.length) })
    }
    if (depth === DEPTH_MAX) return found
    for (const [text] of bytes.toString('latin1').matchAll(/[\w-]{40,}/g)) {
      for (const inner of search(Buffer.from(text, 'base64url'), depth + 1)) {
        found.push({ ...inner, form: `${inner.form} in base64url` })
      }
    }
    return found
  }
  return (bytes) => search(typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes), 0)
}

/** The same without looking inside encodings: for files of many megabytes. */
export function plainMarkerSearch(markers: readonly string[]): (bytes: Buffer) => readonly FoundMarker[] {
  const patterns = markers.flatMap(patternsOf)
  return (bytes) =>
    patterns.flatMap(({ marker, form, bytes: pattern }) => {
      const at = bytes.indexOf(pattern)
      return at < 0 ? [] : [{ marker, form, around: excerpt(bytes, at, pattern.length) }]
    })
}

function patternsOf(marker: string): readonly Pattern[] {
  const bytes = Buffer.from(marker)
  const wide = Buffer.from(marker, 'utf16le')
  const forms: [string, Buffer][] = [
    ['plain', bytes],
    ['upper case', Buffer.from(marker.toUpperCase())],
    ['utf-16le', wide],
    ['utf-16be', Buffer.from(wide).swap16()],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
  ]
  for (const alignment of [0, 1, 2]) {
    const core = base64Core(bytes, alignment)
    forms.push([`base64+${alignment}`, Buffer.from(core)])
    forms.push([`base64url+${alignment}`, Buffer.from(core.replaceAll('+', '-').replaceAll('/', '_'))])
  }
  const number = Number(marker)
  if (Number.isFinite(number))
    forms.push(['double', doubleOf(number)], ['number', Buffer.from(String(number))])
  return forms.map(([form, pattern]) => ({ marker, form, bytes: pattern }))
}

/** The characters of base64 that depend on the marker alone when `alignment` bytes stand before it. */
function base64Core(bytes: Buffer, alignment: number): string {
  const text = Buffer.concat([Buffer.alloc(alignment), bytes])
    .toString('base64')
    .replace(/=+$/, '')
  const bits = (alignment + bytes.length) * 8
  return text.slice(Math.ceil((alignment * 8) / 6), Math.floor(bits / 6))
}

function doubleOf(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

function excerpt(bytes: Buffer, at: number, length: number): string {
  const text = bytes.subarray(Math.max(0, at - AROUND), at + length + AROUND).toString('latin1')
  return text.replaceAll(/[^\x20-\x7e]/g, '.')
}
