export { testCertificates, type KeyPair, type TestCertificates } from "./certificates.ts";
export type { CallLog, CallRecord } from "./echo/call-log.ts";
export {
  startEchoServer,
  type EchoServer,
  type EchoServerOptions,
  type EchoServiceName,
} from "./echo/echo-server.ts";
export { ServerHealth, type ServingState } from "./echo/health-service.ts";
export { startFaultProxy, type Fault, type FaultProxy } from "./fault-proxy.ts";
export { startChromium } from "./chromium.ts";
export { type ScriptPage, startScriptPage } from "./script-page.ts";
export { brokerSuite, type BrokerSuiteOptions } from "./broker-suite/broker-suite.ts";
