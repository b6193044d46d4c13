export { Code, codeFromHttpStatus, httpStatusFromCode, isCode, nameOfCode } from "./code.ts";
