import { csvLine } from '../../kernel/csv-line.ts'
import type { ControllerActivity, Register } from '../../protocol/rights/register.ts'

const COLUMNS: readonly (readonly [string, (activity: ControllerActivity, register: Register) => string])[] =
  [
    ['controller', ({ controller }) => controller.name ?? controller.member],
    ['controller_address', ({ controller }) => controller.address ?? ''],
    ['controller_email', ({ controller }) => controller.email ?? ''],
    ['data_protection_officer', ({ controller }) => controller.dataProtectionOfficer ?? ''],
    ['representative', ({ controller }) => controller.representative ?? ''],
    ['processor', (_, { processor }) => processor.name ?? processor.member],
    ['contract', ({ contract }) => contract?.reference ?? ''],
    ['processing', ({ title }) => title],
    ['data_set', ({ dataSet }) => dataSet],
    ['purposes', ({ purposes }) => list(purposes.map(({ label, purpose }) => `${label} (${purpose})`))],
    ['legal_basis', ({ legalBasis }) => legalBasis],
    ['special_category_basis', ({ specialCategoryBasis }) => specialCategoryBasis ?? ''],
    ['bases', ({ bases }) => list(bases.map(({ kind, reference }) => `${kind}: ${reference}`))],
    ['subjects', ({ subjects }) => subjects.description],
    ['people', ({ subjects }) => String(subjects.people)],
    ['includes_minors', ({ subjects }) => String(subjects.includesMinors)],
    ['categories', ({ categories }) => list(categories.map(({ column, category }) => category ?? column))],
    [
      'special_categories',
      ({ categories }) =>
        list(
          categories
            .filter(({ sensitivity }) => sensitivity === 'special_category')
            .map(({ column }) => column),
        ),
    ],
    ['recipients', ({ recipients }) => list(recipients.map(({ acquirer }) => acquirer))],
    [
      'transfers',
      ({ transfers }) =>
        list(transfers.map(({ country, ground }) => `${country}: ${ground ?? 'no ground today'}`)),
    ],
    ['erased_after', ({ erasure }) => erasure.until],
    ['place', (_, { place }) => place.territory],
    ['measures', ({ measures }) => list(measures)],
    ['assessments', ({ purposes }) => list(purposes.flatMap(({ assessments }) => assessments))],
    ['policy', ({ policy }) => policy],
  ]

/** The controllers' part of the register as CSV (RFC 4180): a row for each processing activity. */
export function registerCsv(register: Register): string {
  const head = COLUMNS.map(([name]) => name)
  const rows = register.controllers.map((activity) => COLUMNS.map(([, value]) => value(activity, register)))
  return [head, ...rows].map(csvLine).join('')
}

function list(values: readonly string[]): string {
  return values.join('; ')
}
