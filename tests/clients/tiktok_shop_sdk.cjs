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
  details: async ({ ids, ...given }) => (await calling(given).order.getOrderDetail({ ids })).data,
  stock: async ({ products, ...given }) =>
    (await calling(given).product.searchInventory({ product_ids: products })).data,
  set_stock: async ({ product, skus, ...given }) =>
    (await calling(given).product.updateProductInventory({ product_id: product, body: { skus } })).data,
  subscribe: async ({ topic, address, ...given }) =>
    (await calling(given).event.updateShopWebhook({ event_type: topic, address })).data,
  subscriptions: async (given) => (await calling(given).event.getShopWebhooks()).data,
  unsubscribe: async ({ topic, ...given }) => (await calling(given).event.deleteShopWebhook({ event_type: topic })).data,
});
