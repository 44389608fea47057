import type { Json } from '../../../../kernel/canonical-json.ts'
import type { BoundQuery, ColumnRef, Expr, Join, PersonRef, Source } from '../../bound/bound-query.ts'
import { printFrame } from './window-frame.ts'

/**
 * What a bound question means, as nested lists: the same for questions that mean the same, however they were written.
 * Only lists, so that the JSON text is canonical as it is. Measures and ranges follow from the rest.
 */
export function canonicalQuery(query: BoundQuery): Json {
  return [
    query.mode,
    query.sources.map(sourceForm),
    query.where.map(({ expr }) => exprForm(expr)),
    query.keys.map(exprForm),
    ...(query.groupingSets ? [query.groupingSets] : []),
    query.measures.map(({ kind, argument, filter, clamp, quantileMicro }) => [
      kind,
      optional(argument),
      optional(filter),
      clamp ? [clamp.least, clamp.greatest] : null,
      ...(quantileMicro === undefined ? [] : [quantileMicro]),
    ]),
    query.outputs.map(({ name, expr }) => [name, exprForm(expr)]),
    optional(query.having),
    ...(query.qualify ? [['qualify', exprForm(query.qualify)]] : []),
    ...(query.regrouped ? ['regrouped'] : []),
    query.orderBy.map(({ expr, isDescending, nullsFirst }) => [exprForm(expr), isDescending, nullsFirst]),
    query.limit ?? null,
    query.offset ?? null,
  ]
}

function sourceForm(source: Source): Json {
  if (source.kind === 'data-set')
    return source.join ? [source.dataSet, joinForm(source.join)] : source.dataSet
  if (source.kind === 'outer') return ['outer', source.source]
  const join = source.join ? [joinForm(source.join)] : []
  if (source.kind === 'rows')
    return [
      'rows',
      source.sources.map(sourceForm),
      source.where.map(({ expr }) => exprForm(expr)),
      source.columns.map(exprForm),
      ...join,
    ]
  return [
    source.sources.map(sourceForm),
    source.where.map(({ expr }) => exprForm(expr)),
    source.keys.map(exprForm),
    source.aggregates.map((aggregate) => [
      aggregate.function,
      optional(aggregate.argument),
      optional(aggregate.filter),
      ...(aggregate.isDistinct ? ['distinct'] : []),
      ...(aggregate.quantileMicro === undefined ? [] : [aggregate.quantileMicro]),
      ...(aggregate.separator === undefined ? [] : ['separator', aggregate.separator]),
      aggregate.clamp ? [aggregate.clamp.least, aggregate.clamp.greatest] : null,
    ]),
    ...join,
  ]
}

function joinForm({ kind, by, on }: Join): Json {
  return [kind, by, on.map(exprForm)]
}

/** Whether two sources, joined to the same level, are the same rows joined in the same way. */
export function isSameSource(a: Source, b: Source): boolean {
  return JSON.stringify(sourceForm(a)) === JSON.stringify(sourceForm(b))
}

function optional(expr: Expr | undefined): Json {
  return expr ? exprForm(expr) : null
}

function exprForm(expr: Expr): Json {
  return formOfExpression(expr, sourceByIndex)
}

/** How a column or a person stands in a form. */
type Reference = (reference: ColumnRef | PersonRef) => Json

function sourceByIndex(reference: ColumnRef | PersonRef): Json {
  return reference.kind === 'column'
    ? ['column', reference.source, reference.column]
    : ['person', reference.source, ...(reference.orElse ?? [])]
}

/** What an expression means, as nested lists; sources are told as `referenceForm` says. Ranges follow from the rest. */
export function formOfExpression(expr: Expr, referenceForm: Reference): Json {
  const formOf = (inner: Expr): Json => formOfExpression(inner, referenceForm)
  switch (expr.kind) {
    case 'literal': {
      const { value, type } = expr
      return [
        'literal',
        type,
        value !== null && typeof value === 'object' ? [value.months, value.days, value.microseconds] : value,
      ]
    }
    case 'column':
    case 'person':
      return referenceForm(expr)
    case 'key':
      return ['key', expr.key]
    case 'measure':
      return ['measure', expr.measure]
    case 'call':
      return [expr.call, expr.constants, ...expr.args.map(formOf)]
    case 'window':
      return [
        'window',
        expr.function,
        expr.offset,
        expr.args.map(formOf),
        expr.partition.map(formOf),
        expr.order.map((key) => [formOf(key.expr), key.isDescending, key.nullsFirst]),
        ...(expr.frame ? [printFrame(expr.frame, 'postgres')] : []),
      ]
    case 'case':
      return [
        'case',
        expr.whens.map(({ when, value }) => [formOf(when), formOf(value)]),
        expr.otherwise ? formOf(expr.otherwise) : null,
      ]
  }
}
