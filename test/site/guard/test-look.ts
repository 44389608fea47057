import { instant } from '../../../src/kernel/clock.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import type { LookRequest } from '../../../src/site/guard/look-into-record.ts'

/** A look for one and the same question over the athletes. */
export function testLook(acquirerGroup: string, question = 'question'): LookRequest {
  return {
    acquirerGroup,
    dataSets: [dataSetIdSchema.parse('athletes')],
    question: digestOf(question),
    since: instant(0),
  }
}
