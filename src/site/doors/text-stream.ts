/** Bytes that go out in one piece: a piece for each record would cost more than the record. */
const PIECE_CHARACTERS = 65_536

/** Texts as a stream that is made as fast as it is read. */
export function streamOf(texts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let piece = ''
      while (piece.length < PIECE_CHARACTERS) {
        const next = await texts.next()
        if (next.done) {
          if (piece !== '') controller.enqueue(encoder.encode(piece))
          controller.close()
          return
        }
        piece += next.value
      }
      controller.enqueue(encoder.encode(piece))
    },
    async cancel() {
      await texts.return(undefined)
    },
  })
}
