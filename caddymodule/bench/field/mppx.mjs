// The reference implementation of the IETF's Payment scheme, for Express. Its
// payment method takes every payment at once.
import { Challenge, Credential, Method, Receipt, z } from "mppx";
import { Mppx } from "mppx/express";
import { serve } from "./site.mjs";

const credit = Method.from({
	name: "credit",
	intent: "charge",
	schema: {
		credential: { payload: z.object({ token: z.string() }) },
		request: z.object({ amount: z.string() }),
	},
});

const method = Method.toServer(credit, {
	verify: async () => Receipt.from({
		method: "credit", reference: "1", status: "success", timestamp: new Date().toISOString(),
	}),
});

const mppx = Mppx.create({ methods: [method], realm: "bench", secretKey: "0123456789abcdef0123456789abcdef0123456789ab" });
serve(mppx.charge({ amount: "0.001" }), (answer) => {
	const challenge = Challenge.fromResponse(answer);
	return "Authorization: " + Credential.serialize(Credential.from({ challenge, payload: { token: "reader" } }));
});
