import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { keySetSchema } from '../member.ts'
import { compactJwsSchema, siteIdSchema } from '../wire.ts'

/** What the witness says to checkpoints that it is shown together, in their order. */
export const cosignedSchema = z
  .strictObject({
    /** Cosignature lines of the first so many. */
    lines: z.array(z.string().max(300)),
    /** Why the next one got none: what `add-checkpoint` would have answered. `size` is what was seen last, where it is another. */
    stopped: z.strictObject({ status: z.int(), size: z.int().min(0).optional() }).optional(),
  })
  .openapi('Cosigned')
export type CosignedMessage = z.infer<typeof cosignedSchema>

/** What a log's checkpoints verify by, from the first key on. */
export const logKeysSchema = z
  .strictObject({ firstKeys: keySetSchema, rotations: z.array(compactJwsSchema) })
  .openapi('LogKeys')

/** The network as a witness of its sites' logs. */
export const WITNESS_API = {
  addCheckpoint: endpoint({
    method: 'post',
    path: '/witness/add-checkpoint',
    tag: 'witness',
    summary: 'Show the witness a checkpoint of a site’s log (C2SP tlog-witness)',
    description:
      'Anybody; the checkpoint must be signed by the log. The body is "old SIZE", a consistency proof from that size, an empty line, and the checkpoint. 200: the cosignature line. 409: the size that the witness saw last, as text/x.tlog.size; or another root at that size. 422: the proof does not hold. 403: not signed by the log. 404: not a log of a site of this network.',
    stream: ['text/plain'],
    produces: 'text/plain; charset=utf-8',
    refusal: { produces: 'text/plain', schema: z.string() },
    isPublic: true,
  }),
  addCheckpoints: endpoint({
    method: 'post',
    path: '/witness/add-checkpoints',
    tag: 'witness',
    summary: 'Show the witness several checkpoints of one log, each following from the one before',
    description:
      'Anybody; the same as showing them one after another at add-checkpoint, with one look at what was seen and one write. The first that gets no cosignature ends it; those before it are cosigned.',
    body: z
      .strictObject({
        shown: z
          .array(
            z
              .string('expected what add-checkpoint takes')
              .max(LIMITS.witnessRequestBytesMax, 'expected what add-checkpoint takes'),
          )
          .min(1, 'expected a checkpoint')
          .max(
            LIMITS.witnessCheckpointsAtOnceMax,
            `expected at most ${LIMITS.witnessCheckpointsAtOnceMax} checkpoints`,
          ),
      })
      .openapi('ShownCheckpoints'),
    response: cosignedSchema,
    isPublic: true,
  }),
  witnessed: endpoint({
    method: 'get',
    path: '/witness/{site}/checkpoint',
    tag: 'witness',
    summary: 'The newest checkpoint of a site’s log that the witness saw, with its cosignature',
    params: z.object({ site: siteIdSchema }),
    produces: 'text/plain; charset=utf-8',
    isPublic: true,
  }),
  logKeys: endpoint({
    method: 'get',
    path: '/witness/{site}/keys',
    tag: 'witness',
    summary: 'The keys that a site’s log is and was signed with: the first, and the signed rotations since',
    description: 'Anybody: each rotation is signed with the key before it.',
    params: z.object({ site: siteIdSchema }),
    response: logKeysSchema,
    isPublic: true,
  }),
} as const
