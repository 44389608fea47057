import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { givenBySchema, granteeSchema } from '../consent/grant.ts'
import { modeSchema } from '../mode.ts'
import { columnNameSchema, dataSetIdSchema, digestSchema, purposeSchema } from '../wire.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { accessReasonSchema } from './person-api.ts'

/** Somebody whose grants on a data set authorise nothing since its text changed. */
export const personToAskSchema = z
  .strictObject({
    /** The key by which the issuer knows them. */
    person: z.string(),
    /** What they had allowed; each is to be shown with the text as it stands, and asked anew. */
    granted: z.array(
      z.strictObject({
        grantee: granteeSchema,
        purposes: z.array(purposeSchema),
        modes: z.array(modeSchema),
        columns: z.array(columnNameSchema).optional(),
        givenBy: givenBySchema,
        /** The text that it was given to, and the one that stands. */
        notice: digestSchema,
        standing: digestSchema,
      }),
    ),
  })
  .openapi('PersonToAsk')

/** Whom to ask again after a changed text. */
export const ASK_AGAIN_API = {
  askAgain: endpoint({
    method: 'get',
    path: '/v1/datasets/{dataSet}/people-to-ask',
    tag: 'grants',
    summary: 'Whom to ask again because the text that they consented to has changed',
    description:
      'The issuer whose data set it is, or its officer, with a reason that each person sees; nobody else is told any key. In pages, or with `format=ndjson` from the cursor on to the end, one person a line. Whoever has answered the text as it stands, by a grant or a refusal to the same grantee, is not in it. That a person was read is noted before they are shown, with a receipt.',
    params: z.object({ dataSet: dataSetIdSchema }),
    query: pageQuerySchema.extend({
      reason: accessReasonSchema,
      format: z.enum(['json', 'ndjson'], 'expected json or ndjson').default('json'),
    }),
    response: z
      .strictObject({ items: z.array(personToAskSchema), nextCursor: nextCursorSchema })
      .openapi('PeopleToAsk'),
  }),
} as const
