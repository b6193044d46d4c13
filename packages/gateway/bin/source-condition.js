// A module hook for checkouts: resolves the packages of the workspace to their TypeScript sources.
export function resolve(specifier, context, next) {
  return next(specifier, { ...context, conditions: [...context.conditions, "@sluice/source"] });
}
