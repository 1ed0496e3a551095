// The official x402 middleware for Express. Its facilitator, which in earnest is
// another company's server, answers at once and within the process.
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import { serve } from "./site.mjs";

const network = "bench:1";

const facilitator = {
	getSupported: async () => ({ kinds: [{ x402Version: 2, scheme: "exact", network }], extensions: [], signers: {} }),
	verify: async () => ({ isValid: true, payer: "reader" }),
	settle: async () => ({ success: true, transaction: "1", network, payer: "reader" }),
};

const scheme = {
	scheme: "exact",
	defaultAssetTransferMethod: "default",
	paymentFlows: { default: { supported: ["authorization"], default: "authorization" } },
	parsePrice: async () => ({ amount: "1000", asset: "credit" }),
	enhancePaymentRequirements: async (requirements) => requirements,
};

const server = new x402ResourceServer(facilitator).register(network, scheme);
const accepts = { scheme: "exact", price: "0.001", network, payTo: "site" };
serve(paymentMiddleware({ "GET /*": { accepts, description: "a page" } }, server), (answer) => {
	const { resource, accepts } = JSON.parse(atob(answer.headers.get("payment-required")));
	const payment = { x402Version: 2, resource, accepted: accepts[0], payload: { token: "reader" } };
	return "PAYMENT-SIGNATURE: " + btoa(JSON.stringify(payment));
});
