/** The `typ` of every signed or sealed thing: one kind cannot be passed off as another (RFC 8725 §3.11). */
export const TYP = {
  ask: 'hedgerow-ask+jws',
  askBatch: 'hedgerow-ask-batch+jws',
  decision: 'hedgerow-decision+jws',
  clearingRecord: 'hedgerow-clearing+jws',
  receipt: 'hedgerow-receipt+jws',
  evidence: 'hedgerow-evidence+jws',
  offer: 'hedgerow-offer+jws',
  floorLimit: 'hedgerow-floor-limit+jws',
  keyRotation: 'hedgerow-key-rotation+jws',
  clientAssertion: 'JWT',
  question: 'hedgerow-question+jwe',
  release: 'hedgerow-release+jwe',
  recipientNotice: 'hedgerow-recipient-notice+jws',
  sealedNotice: 'hedgerow-recipient-notice+jwe',
  acknowledgement: 'hedgerow-acknowledgement+jws',
  withdrawal: 'hedgerow-withdrawal+jws',
} as const
