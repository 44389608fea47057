import type { z } from 'zod'

/**
 * One operation of a door, said once: the server validates by it, the OpenAPI document is made from it, and the
 * client calls by it. Nothing of a web framework stands here, so that the browser's half can load it.
 */
export interface Endpoint<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** With parameters in braces, for example `/v1/datasets/{dataSet}`. */
  readonly path: string
  readonly tag: string
  /** One line: what it does. */
  readonly summary: string
  /** Who may, what is special, which codes it declines with. */
  readonly description?: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** The body is a file that is read as it comes and not held to the size of a request; its media types. */
  readonly stream?: readonly string[]
  /** What comes back; absent for files and texts. */
  readonly response?: R
  /** The media type of a response that is not JSON. */
  readonly produces?: string
  /** What its own refusals are, where its protocol has others than problem documents; a door refuses by these all the same. */
  readonly refusal?: { readonly produces: string; readonly schema: z.ZodType }
  /** 200 unless said. */
  readonly status?: 200 | 201 | 202 | 204
  /** Anybody may call it, without a token. */
  readonly isPublic?: boolean
  /** Answers carry the caller's own `X-Request-ID`, where one came (AuthZEN 1.0 §10.1.4). */
  readonly echoesRequestId?: boolean
  /** Anybody may call it, with a signed token in its body (`assertion`) that is exchanged for another. */
  readonly isExchange?: boolean
  /** Takes `Idempotency-Key`: the same key with the same body gives the same answer, with another body 409. */
  readonly isIdempotent?: boolean
}

/** Fixes the types of an endpoint to its schemas. */
export function endpoint<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
>(described: Endpoint<P, Q, B, R>): Endpoint<P, Q, B, R> {
  return described
}
