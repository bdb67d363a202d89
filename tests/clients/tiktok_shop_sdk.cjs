// npm tiktok-shop-sdk: hosts built in, fetch inside, which ignores HTTPS_PROXY in older Nodes; connect_to.cjs leads it.
"use strict";
const { TikTokShopSDK } = require("tiktok-shop-sdk");
const dialogue = require("./dialogue.cjs");

const calling = ({ token, cipher }) => {
  const sdk = new TikTokShopSDK({ appKey: process.env.APP_KEY, appSecret: process.env.APP_SECRET });
  if (token) sdk.setAccessToken(token);
  if (cipher) sdk.setShopCipher(cipher);
  return sdk;
};

dialogue({
  exchange: async ({ code }) => (await calling({}).auth.getAccessToken({ auth_code: code })).data,
  refresh: async ({ token }) => (await calling({}).auth.refreshAccessToken({ refresh_token: token })).data,
  shops: async (given) => (await calling(given).shop.getAuthorizedShops()).data.shops,
  orders: async ({ page, body = { create_time_ge: 1 }, ...given }) => {
    const query = { page_size: 20, ...(page ? { page_token: page } : {}) };
    return (await calling(given).order.getOrderList({ query, body })).data;
  },
  products: async (given) =>
    (await calling(given).product.searchProducts({ query: { page_size: 100 }, body: { status: "ALL" } })).data,
});
