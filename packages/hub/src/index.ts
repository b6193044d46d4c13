export { CloseCode } from "./close-code.ts";
