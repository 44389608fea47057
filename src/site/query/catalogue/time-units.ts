/** Units of time, the finest first. */
export const TIME_UNITS = [
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'quarter',
  'year',
  'isoyear',
  'decade',
  'century',
] as const
export type TimeUnit = (typeof TIME_UNITS)[number]

/** Days of the shortest of each. */
export const DAYS: Readonly<Record<TimeUnit, number>> = {
  second: 1 / 86_400,
  minute: 1 / 1_440,
  hour: 1 / 24,
  day: 1,
  week: 7,
  month: 28,
  quarter: 90,
  year: 365,
  isoyear: 364,
  decade: 3_652,
  century: 36_524,
}

/** By which units a field of a time tells times apart. */
export const FIELD_UNITS: Readonly<Record<string, TimeUnit>> = {
  year: 'year',
  isoyear: 'isoyear',
  decade: 'decade',
  century: 'century',
  quarter: 'quarter',
  month: 'month',
  week: 'week',
  day: 'day',
  doy: 'day',
  dow: 'day',
  isodow: 'day',
  hour: 'hour',
  minute: 'minute',
}
