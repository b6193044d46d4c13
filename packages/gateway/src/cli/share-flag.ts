import { isMetadataName, type ShareRule, type ShareRules } from "@sluice/rpc";
import { InvalidArgumentError } from "commander";

const methodName = /^\/?([\w.]+\/\w+)$/;
const metadataName = /^per=([\w.-]+)$/;

/** Takes one more `--share`: a method, and behind commas how it is shared. */
export function shareFromText(text: string, before: ShareRules = new Map()): ShareRules {
  const [method = "", ...words] = text.split(",").map((each) => each.trim());
  const name = methodName.exec(method)?.[1];
  if (name === undefined) {
    throw new InvalidArgumentError("Give a method, as in prices.v1.Prices/Watch,replay.");
  }
  // One of the two would be passed over: perhaps the one that keeps clients apart.
  if (before.has(`/${name}`)) throw new InvalidArgumentError(`${name} is shared already; give all in one.`);
  return new Map([...before, [`/${name}`, ruleFrom(words)]]);
}

function ruleFrom(words: readonly string[]): ShareRule {
  const per: string[] = [];
  let replay = false;
  let slow: ShareRule["slow"] = "close";
  for (const word of words) {
    const metadata = metadataName.exec(word)?.[1];
    if (metadata !== undefined) per.push(metadataNameFrom(metadata));
    else if (word === "replay") replay = true;
    else if (word === "latest") slow = "latest";
    else throw new InvalidArgumentError(`${JSON.stringify(word)} is not per=METADATA, replay or latest.`);
  }
  return { per, replay, slow };
}

function metadataNameFrom(text: string): string {
  const name = text.toLowerCase();
  if (!isMetadataName(name)) {
    throw new InvalidArgumentError(`${text} is never metadata, so it cannot tell clients apart.`);
  }
  return name;
}
