import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { LIMITS } from '../../kernel/limits.ts'
import { SEPARATORS } from '../../protocol/csv-form.ts'
import { malformedLines, unusableFile } from './import-problem.ts'

/** Whether a file begins as gzip does (RFC 1952 §2.3.1). */
export async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(2), 0, 2)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await file.close()
  }
}

/** The bytes of a file, unpacked if need be. */
export async function* readBytes(
  path: string,
  { isPacked }: { isPacked: boolean },
): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path)
  const bytes: AsyncIterable<Uint8Array> = isPacked ? file.pipe(createGunzip()) : file
  file.on('error', () => undefined)
  try {
    yield* bytes
  } catch {
    throw unusableFile('its gzip packing is broken')
  } finally {
    file.destroy()
  }
}

/**
 * The same of a file that was not looked at yet: a few kilobytes can be packed that fill every disk.
 *
 * @throws Fault `fault.import_malformed`
 */
export async function* readUnknownBytes(
  path: string,
  { isPacked, sizeBytes }: { isPacked: boolean; sizeBytes: number },
): AsyncGenerator<Uint8Array> {
  const unpackedMax = Math.max(LIMITS.importUnpackedFreeBytes, sizeBytes * LIMITS.importUnpackedFactorMax)
  let position = 0
  for await (const bytes of readBytes(path, { isPacked })) {
    yield bytes
    position += bytes.length
    if (isPacked && position > unpackedMax)
      throw unusableFile(
        `it is more than ${LIMITS.importUnpackedFactorMax} times larger unpacked than packed; send it as it is, or in parts`,
      )
  }
}

/**
 * Goes through a text before the engine does, in little memory, and gives how large it is unpacked. A line longer than its buffers is left out
 * by the engine without a word.
 *
 * @throws Fault `fault.import_malformed`
 */
export async function measureText(
  path: string,
  { isPacked, sizeBytes, lineBytesMax }: { isPacked: boolean; sizeBytes: number; lineBytesMax: number },
): Promise<number> {
  let position = 0
  let lineBegins = 0
  const requireShort = async (lineEnds: number) => {
    if (lineEnds - lineBegins <= lineBytesMax) return
    const lines = await linesAtOffsets(path, { isPacked, offsets: [lineBegins] })
    const line = lines.get(lineBegins) ?? 1
    const expected = `expected a line of at most ${lineBytesMax} bytes`
    throw malformedLines([{ line, expected }], { total: 1, unit: 'line' })
  }
  for await (const bytes of readUnknownBytes(path, { isPacked, sizeBytes })) {
    const first = bytes.indexOf(NEWLINE)
    await requireShort(position + (first === -1 ? bytes.length : first))
    if (first !== -1) lineBegins = position + bytes.lastIndexOf(NEWLINE) + 1
    position += bytes.length
  }
  return position
}

/** The first record of a CSV file as its fields, or why it is none; `names` are what its fields may be called. */
export async function readHeader(
  path: string,
  {
    isPacked,
    names,
    separator,
  }: { isPacked: boolean; names: readonly string[]; separator: keyof typeof SEPARATORS },
): Promise<readonly string[]> {
  const line = await readFirstLine(path, { isPacked })
  requireSeparator(line, { names, separator })
  return parseRecord(line, separator)
}

/** The first line of a text, without the mark that some begin with. */
export async function readFirstLine(path: string, { isPacked }: { isPacked: boolean }): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const bytes of readBytes(path, { isPacked })) {
    parts.push(bytes)
    size += bytes.length
    if (size >= HEADER_BYTES_MAX || bytes.includes(NEWLINE)) break
  }
  if (size === 0) throw unusableFile('it is empty')
  const text = decodeUtf8(Buffer.concat(parts))
  const line = (text.startsWith('\ufeff') ? text.slice(1) : text).replace(/\r$/, '')
  // The first line would be the whole file, and what is said of it of no help.
  if (line.includes('\r'))
    throw unusableFile(
      'its lines do not end with a line feed but with a carriage return (CR), as some old programs write them; end them with line feeds first: tr "\\r" "\\n" < FILE > NEW-FILE',
    )
  return line
}

/** Nothing is guessed; it is said where two names that are known stand between other separators and none between those expected. */
function requireSeparator(
  line: string,
  { names, separator }: { names: readonly string[]; separator: keyof typeof SEPARATORS },
): void {
  const known = (sign: string) =>
    line.split(sign).filter((part) => names.includes(part.trim().replaceAll(/^"|"$/g, ''))).length
  if (known(SEPARATORS[separator]) > 0) return
  const other = Object.entries(SEPARATORS).find(([, sign]) => known(sign) > 1)?.[0]
  if (other === undefined) return
  const decimals = other === 'semicolon' ? ' (and, where decimals stand behind a comma, --decimal comma)' : ''
  const expected = `the names seem to be separated by the sign "${other}", expected "${separator}": say --separator ${other}${decimals}`
  throw unusableFile(`line 1: ${expected}`, [{ field: 'line 1', expected }])
}

const HEADER_BYTES_MAX = 1 << 20
const NEWLINE = 0x0a
const QUOTE = 0x22

/** Only the first line matters here, and a character may be torn at the end of what was read. */
function decodeUtf8(bytes: Buffer): string {
  const end = bytes.indexOf(NEWLINE)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      end === -1 ? bytes : bytes.subarray(0, end),
    )
  } catch {
    const encoding =
      bytes[0] === 0xff && bytes[1] === 0xfe
        ? 'utf-16le'
        : bytes[0] === 0xfe && bytes[1] === 0xff
          ? 'utf-16be'
          : undefined
    throw unusableFile(
      encoding === undefined
        ? 'its first line is not UTF-8; say how it is written with --encoding, such as --encoding windows-1252'
        : `it begins as UTF-16 does; say so with --encoding ${encoding}`,
    )
  }
}

/** The fields of a line. */
export function parseRecord(line: string, separator: keyof typeof SEPARATORS): readonly string[] {
  const fields: string[] = []
  const sign = SEPARATORS[separator]
  const field = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${sign}]*))([${sign}]|$)`, 'y')
  for (;;) {
    const match = field.exec(line)
    if (!match) throw unusableFile('its first line is not a line of CSV')
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === '') return fields
  }
}

/** Lines of the file, from 1, at byte offsets of the unpacked file. */
export async function linesAtOffsets(
  path: string,
  { isPacked, offsets }: { isPacked: boolean; offsets: readonly number[] },
): Promise<ReadonlyMap<number, number>> {
  const wanted = [...new Set(offsets)].toSorted((a, b) => a - b)
  const lines = new Map<number, number>()
  let position = 0
  let line = 1
  for await (const bytes of readBytes(path, { isPacked })) {
    for (const byte of bytes) {
      while (wanted[0] === position) lines.set(wanted.shift() ?? 0, line)
      if (byte === NEWLINE) line += 1
      position += 1
    }
    if (wanted.length === 0) break
  }
  for (const offset of wanted) lines.set(offset, line)
  return lines
}

/** Lines on which records of a well-formed CSV file begin; records are counted from 1 after the header, without empty lines. */
export async function linesOfRecords(
  path: string,
  { isPacked, records }: { isPacked: boolean; records: readonly number[] },
): Promise<ReadonlyMap<number, number>> {
  const wanted = new Set(records)
  const lines = new Map<number, number>()
  let line = 1
  let beginsAt = 1
  let record = 0
  let isQuoted = false
  let isEmpty = true
  for await (const bytes of readBytes(path, { isPacked })) {
    for (const byte of bytes) {
      if (byte === QUOTE) isQuoted = !isQuoted
      if (byte !== NEWLINE) {
        if (byte !== 0x0d) isEmpty = false
        continue
      }
      line += 1
      if (isQuoted) continue
      if (!isEmpty) {
        if (wanted.has(record)) lines.set(record, beginsAt)
        record += 1
      }
      beginsAt = line
      isEmpty = true
    }
    if (lines.size === wanted.size) break
  }
  if (!isEmpty && wanted.has(record)) lines.set(record, beginsAt)
  return lines
}
