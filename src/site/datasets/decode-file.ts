import type { Random } from '../../kernel/random.ts'
import { unusableFile } from './import-problem.ts'
import { isGzip, readUnknownBytes } from './read-text.ts'
import { spoolFile } from './spool-file.ts'
import type { SpooledFile } from './spool-file.ts'

/**
 * A text in another encoding as a file of its own in UTF-8, which is all that is read after this: what the engine itself can decode is
 * too little, and the number of a line would not be found by bytes of another encoding. Unpacked, because it is written anew.
 *
 * @throws Fault `fault.import_malformed` where its bytes are not of that encoding, or are UTF-8
 */
export async function decodeFile(
  { path, sizeBytes }: Pick<SpooledFile, 'path' | 'sizeBytes'>,
  {
    encoding,
    ...spool
  }: { encoding: string; directory: string; random: Random; signal?: AbortSignal | undefined },
): Promise<SpooledFile> {
  const isPacked = await isGzip(path)
  return spoolFile({ stream: decodedBytes({ path, sizeBytes, isPacked, encoding }) }, spool)
}

interface EncodedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly isPacked: boolean
  readonly encoding: string
}

async function* decodedBytes({
  path,
  sizeBytes,
  isPacked,
  encoding,
}: EncodedFile): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  const utf8 = new Utf8Watch()
  for await (const bytes of readUnknownBytes(path, { isPacked, sizeBytes })) {
    utf8.see(bytes)
    yield Buffer.from(decoded(decoder, bytes))
  }
  yield Buffer.from(decoded(decoder))
  // Most encodings take any byte: a wrong one would turn names into other names, without a word.
  if (utf8.isCertain) throw unusableFile('its bytes are UTF-8; leave --encoding away')
}

function decoded(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
  } catch {
    throw unusableFile(`its bytes are not those of ${decoder.encoding}; say another encoding with --encoding`)
  }
}

/** Whether bytes are UTF-8 beyond doubt: all of them are, and some are not ASCII. */
class Utf8Watch {
  #decoder: TextDecoder | undefined = new TextDecoder('utf-8', { fatal: true })
  #isBeyondAscii = false

  see(bytes: Uint8Array): void {
    try {
      this.#decoder?.decode(bytes, { stream: true })
      this.#isBeyondAscii ||= bytes.some((byte) => byte > 0x7f)
    } catch {
      this.#decoder = undefined
    }
  }

  get isCertain(): boolean {
    return this.#decoder !== undefined && this.#isBeyondAscii
  }
}
