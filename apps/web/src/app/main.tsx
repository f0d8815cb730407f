import "@fontsource-variable/geist";
import "./tokens.css";
import "./base.css";
import "../ui/button.css";
import "../ui/popover.css";
import "../ui/skeleton.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { ProblemError } from "../lib/api/problem-error.ts";
import { App } from "./app.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { parseRoute } from "./route.ts";

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // What the server refuses it will refuse again; what didn't arrive may arrive yet.
      retry: (failures, error) => failures < 4 && !(error instanceof ProblemError && error.problem.status < 500),
      // Localhost answers with or without a network.
      networkMode: "always",
      refetchOnWindowFocus: false,
    },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

const route = parseRoute(location);
if (route.kind === "client" && route.frame !== undefined) document.documentElement.dataset["frame"] = route.frame;

createRoot(root).render(
  <ErrorBoundary>
    <QueryClientProvider client={queryClient}>
      <App route={route} />
    </QueryClientProvider>
  </ErrorBoundary>,
);
