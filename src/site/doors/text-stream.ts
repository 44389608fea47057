import { Fault } from '../../kernel/faults.ts'
import type { BrokenAnswer } from '../../kernel/http/door.ts'
import { unknownPerson } from '../rights/person-reading.ts'

/** Characters that go out in one piece: a piece for each record would cost more than the record. */
const PIECE_CHARACTERS = 65_536

/**
 * Texts as the body of an answer. What fits into one piece goes out whole, and what fails before it is made is a failure of the
 * whole answer; more is a stream that is made as fast as it is read.
 */
export async function bodyOf(
  texts: AsyncGenerator<string>,
  broken: BrokenAnswer,
): Promise<string | ReadableStream<Uint8Array>> {
  const first = await nextPiece(texts)
  return first.isLast ? first.text : streamOf(texts, { broken, begun: first.text })
}

/** Looks before each part goes out whether whoever is given it still may have it; absent: once was enough. */
export async function* whileAllowed<T>(
  parts: AsyncGenerator<T>,
  mayStill: (() => Promise<boolean>) | undefined,
): AsyncGenerator<T> {
  for await (const part of parts) {
    if (mayStill && !(await mayStill())) throw unknownPerson()
    yield part
  }
}

async function nextPiece(texts: AsyncGenerator<string>): Promise<{ text: string; isLast: boolean }> {
  let text = ''
  while (text.length < PIECE_CHARACTERS) {
    const next = await texts.next()
    if (next.done) return { text, isLast: true }
    text += next.value
  }
  return { text, isLast: false }
}

/** Texts as a stream; `begun` is what was taken of them already. What breaks it is told to `broken`, and to nobody else. */
export function streamOf(
  texts: AsyncGenerator<string>,
  { broken, begun = '' }: { broken: BrokenAnswer; begun?: string },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (begun !== '') controller.enqueue(encoder.encode(begun))
    },
    async pull(controller) {
      try {
        const { text, isLast } = await nextPiece(texts)
        if (text !== '') controller.enqueue(encoder.encode(text))
        if (isLast) controller.close()
      } catch (thrown) {
        if (!broken(thrown))
          controller.error(new Fault('fault.internal', { what: 'Cannot go on with the answer' }))
      }
    },
    async cancel() {
      await texts.return(undefined)
    },
  })
}
