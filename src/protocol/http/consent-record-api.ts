import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { personParams, personScopeQuery } from './person-api.ts'

export const CONSENT_RECORD_FORMS = ['records', 'receipt'] as const
export type ConsentRecordForm = (typeof CONSENT_RECORD_FORMS)[number]

/** What a person decided, in the form of ISO/IEC TS 27560. */
export const CONSENT_RECORD_API = {
  personConsents: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/consents',
    tag: 'people',
    summary:
      'One person’s consents as records or a receipt of ISO/IEC TS 27560, in JSON-LD with terms of the DPV',
    description:
      'The person ("me", or their own key); the issuer for its people and the operator, both with a reason, which the person sees. Given, refused, withdrawn, expired and superseded ones.',
    params: personParams,
    query: personScopeQuery.extend({
      form: z
        .enum(CONSENT_RECORD_FORMS, `expected one of ${CONSENT_RECORD_FORMS.join(', ')}`)
        .default('records'),
    }),
    produces: 'application/ld+json',
  }),
} as const
