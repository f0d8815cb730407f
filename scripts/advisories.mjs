import { runCommand } from "./setup/entry.mjs";
import { askForAdvisories, UNKNOWN } from "./supply/advisories.mjs";

runCommand(async () => {
  const answer = await askForAdvisories();
  if ("unknown" in answer) {
    console.log(`Known holes were not looked for, as the registry doesn't tell: ${answer.unknown}`);
    process.exitCode = UNKNOWN;
  } else if (answer.holes.length > 0) {
    console.log(answer.holes.join("\n"));
    process.exitCode = 1;
  } else {
    console.log("No hole of high severity is known in what is installed.");
  }
});
