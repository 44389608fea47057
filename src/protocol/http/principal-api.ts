import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import {
  establishGuardianshipSchema,
  guardianshipIdSchema,
  guardianshipViewSchema,
} from '../consent/guardianship.ts'
import {
  AGE_BANDS,
  ageEvidenceIdSchema,
  ageEvidenceViewSchema,
  giveAgeEvidenceSchema,
} from '../law/age-evidence.ts'
import { knownCountrySchema } from '../law/countries.ts'
import { grantTermsSchema } from '../consent/grant.ts'
import { changedSchema, personParams, personScopeQuery } from './person-api.ts'
import { countrySchema, dataSetIdSchema, instantSchema, memberIdSchema } from '../wire.ts'

// The part of a site's door that is about who decides for whom: a table of schemas and endpoints.

const guardianshipsSchema = z
  .strictObject({ items: z.array(guardianshipViewSchema) })
  .openapi('Guardianships')

const daySchema = z.iso.date('expected a day such as 2026-12-01')

/** A move as it is told. */
const tellMoveSchema = z
  .strictObject({
    country: knownCountrySchema,
    /** The first day there; absent: today. */
    fromDay: daySchema.optional(),
    issuer: memberIdSchema.optional(),
  })
  .openapi('TellMove')

/** Who decides for one person as one issuer knows them, and why; a band instead of an age. */
export const principalViewSchema = z
  .strictObject({
    issuer: memberIdSchema,
    band: z.enum(AGE_BANDS),
    /** Whose grant counts today: the person's own, a guardian's, or both. */
    decides: z.enum(['self', 'guardian', 'joint']),
    /** The countries whose law counts: residence, where it is in doubt each of them, and that of the site. */
    laws: z.array(z.strictObject({ country: z.string(), consentAge: z.int() })),
    evidence: z.array(ageEvidenceViewSchema),
    moves: z.array(
      z.strictObject({
        country: countrySchema,
        fromDay: daySchema,
        isConfirmed: z.boolean(),
        toldAt: instantSchema,
        toldBy: z.string(),
        receipt: z.int().min(0),
      }),
    ),
    /** Grants that authorise nothing any more because of age, residence or guardianship, each with why. */
    lapsed: z.array(
      z.strictObject({ grant: z.string(), dataSet: dataSetIdSchema, state: z.string(), why: z.string() }),
    ),
    /** What one guardian agreed to and another has not yet. */
    awaiting: z.array(
      z.strictObject({ guardianship: z.string(), agreedAt: instantSchema, terms: grantTermsSchema }),
    ),
  })
  .openapi('Principal')
export type PrincipalView = z.input<typeof principalViewSchema>

const principalsSchema = z.strictObject({ items: z.array(principalViewSchema) }).openapi('Principals')

/** The endpoints of principals. Who may is said in each description and checked by `site/doors/`. */
export const PRINCIPAL_API = {
  establishGuardianship: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/guardians',
    tag: 'principals',
    summary: 'Establish who is the guardian of a child, by a document that was seen',
    description:
      'The issuer for its people; nobody else, the operator included. The guardian then signs in with a token of their own and names the child by its key. Where the set of those who decide changes with it, what guardians granted before ends.',
    params: personParams,
    body: establishGuardianshipSchema,
    response: guardianshipViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  listGuardians: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/guardians',
    tag: 'principals',
    summary: 'Who may speak for a person, and who could, with receipts',
    description: 'The person, a guardian; the issuer for its people and the operator, both with a reason.',
    params: personParams,
    query: personScopeQuery,
    response: guardianshipsSchema,
  }),
  listWards: endpoint({
    method: 'get',
    path: '/v1/guardianships',
    tag: 'principals',
    summary: 'For whom the person who is signed in may speak, and could',
    response: guardianshipsSchema,
  }),
  principal: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/principal',
    tag: 'principals',
    summary: 'Who decides for a person today, by which law and evidence, and which grants lapsed for it',
    description: 'The person, a guardian; the issuer for its people and the operator, both with a reason.',
    params: personParams,
    query: personScopeQuery,
    response: principalsSchema,
  }),
  giveAgeEvidence: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/age-evidence',
    tag: 'principals',
    summary: 'Give evidence of an age: an age that is reached, one that is not, or both',
    description:
      'What the person says is "declared", what a guardian says "guardian", what the issuer has seen "document". In force when answered. Evidence expires; of two that contradict each other the stricter counts; what is only said never makes anybody older.',
    params: personParams,
    query: z.object({ issuer: memberIdSchema.optional() }),
    body: giveAgeEvidenceSchema,
    response: principalsSchema,
    status: 201,
    isIdempotent: true,
  }),
  ageChallenge: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/age-proof',
    tag: 'principals',
    summary: 'What a wallet has to sign so that its proof of an age counts for this person here',
    description: 'The person.',
    params: personParams,
    query: z.object({ issuer: memberIdSchema.optional() }),
    response: z
      .strictObject({ audience: z.string(), nonce: z.string(), validUntil: instantSchema })
      .openapi('AgeChallenge'),
  }),
  proveAge: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/age-proof',
    tag: 'principals',
    summary:
      'Prove an age by a wallet: an SD-JWT with key binding (RFC 9901) that discloses age_equal_or_over',
    description:
      'The person. The credential is of an attester that the site trusts (setting "age.attesters"). Only the band is kept; a presentation that discloses a birth date is refused, and each counts once.',
    params: personParams,
    query: z.object({ issuer: memberIdSchema.optional() }),
    body: z.strictObject({ presentation: z.string().min(1).max(50_000) }).openapi('ProveAge'),
    response: principalsSchema,
    status: 201,
    isIdempotent: true,
  }),
  endAgeEvidence: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/age-evidence/{evidence}/end',
    tag: 'principals',
    summary: 'End evidence that was wrong',
    description: 'The issuer for its people.',
    params: personParams.extend({ evidence: ageEvidenceIdSchema }),
    response: principalsSchema,
  }),
  tellMove: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/residence',
    tag: 'principals',
    summary: 'Tell that a person lives in another country from a day on: the law on ages changes with it',
    description:
      'The issuer for its people: the new country takes the place of the former. The person or a guardian: both count, the stricter law wins, until the issuer has told it. Grants that are no longer lawful authorise nothing from that day on.',
    params: personParams,
    body: tellMoveSchema,
    response: principalsSchema,
    status: 201,
    isIdempotent: true,
  }),
  confirmGrants: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/grants/confirmation',
    tag: 'principals',
    summary: 'Confirm as one’s own what guardians granted, once one decides oneself',
    description:
      'The person, who has reached the age of consent, or the issuer that passes it on. Without "dataSet" and "grants" all of them; one whose text has changed since is left out and has to be asked for anew.',
    params: personParams,
    body: z
      .strictObject({
        issuer: memberIdSchema.optional(),
        dataSet: dataSetIdSchema.optional(),
        grants: z.array(z.string().max(100)).min(1).max(1_000).optional(),
      })
      .openapi('ConfirmGrants'),
    response: changedSchema,
    isIdempotent: true,
  }),
  endGuardianship: endpoint({
    method: 'post',
    path: '/v1/guardianships/{guardianship}/end',
    tag: 'principals',
    summary: 'End a guardianship: no power from the answer on, and what was granted under it ends',
    description:
      'The issuer that established it, the operator, or the guardian. A token that was issued before gives nothing either.',
    params: z.object({ guardianship: guardianshipIdSchema }),
    response: guardianshipViewSchema,
  }),
} as const
