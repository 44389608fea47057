import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { BASIS_KINDS, BASIS_PEOPLE_PER_CALL_MAX, basisRequestSchema } from './basis-record.ts'

/** Records in one call. */
const DECLARED_MAX = 200

/**
 * Records of legal bases as files say them. A record is known by its kind and reference, which are told once for an issuer; in an interest
 * `assessment` may be the reference of the assessment instead of its id.
 */
export const basesDeclarationSchema = z
  .strictObject({
    declared: z
      .array(basisRequestSchema)
      .max(DECLARED_MAX, `expected at most ${DECLARED_MAX} records`)
      .refine(
        (declared) =>
          declared.reduce((sum, { people }) => sum + (people === 'everybody' ? 0 : people.length), 0) <=
          BASIS_PEOPLE_PER_CALL_MAX,
        `expected at most ${BASIS_PEOPLE_PER_CALL_MAX} people in all`,
      ),
    /** Says what would be done, and does nothing. */
    isDryRun: z.boolean().default(false),
    /** Whether records that are in force and not declared are ended. */
    endsOthers: z.boolean().default(false),
  })
  .openapi('BasesDeclaration')

export const declaredBasisSchema = z
  .strictObject({
    kind: z.enum(BASIS_KINDS),
    reference: z.string(),
    /** `change`: recorded anew, and what stood before is ended; `people`: only whom it covers. */
    action: z.enum(['add', 'change', 'people', 'end', 'none']),
    /** The record that is in force when it is done; absent of one that a dry run would make. */
    basis: z.string().optional(),
    /** Records that are ended by it. */
    ends: z.array(z.string()),
    /** What of it is other than before. */
    changes: z.array(
      z.strictObject({ field: z.string(), from: z.string().optional(), to: z.string().optional() }),
    ),
    /** How many people come in and go out, of a record that lists them. */
    added: z.int().min(0).optional(),
    removed: z.int().min(0).optional(),
  })
  .openapi('DeclaredBasis')
export type DeclaredBasis = z.input<typeof declaredBasisSchema>

/** Bases as files declare them. */
export const DECLARED_BASES_API = {
  declareBases: endpoint({
    method: 'post',
    path: '/v1/officer/bases/declared',
    tag: 'officer',
    summary: 'Put records of legal bases in force as files say them, or say what that would change',
    description:
      'The issuer whose data sets they are, or the operator; only the issuer lists people. Everything is checked before the first is changed; what is as it is said is left alone, so the same again does nothing. Each record that is made or ended has receipts of the kind "policy".',
    body: basesDeclarationSchema,
    response: z.strictObject({ items: z.array(declaredBasisSchema) }).openapi('DeclaredBases'),
  }),
} as const
