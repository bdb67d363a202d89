// npm tiktokshops-api-client: hosts built in, axios inside, so HTTPS_PROXY leads it to the sandbox.
"use strict";
const { TiktokModule } = require("tiktokshops-api-client");
const dialogue = require("./dialogue.cjs");

const app = () => ({
  appKey: process.env.APP_KEY,
  appSecret: process.env.APP_SECRET,
  serviceId: process.env.SERVICE_ID,
});
const calling = ({ token, cipher }) => new TiktokModule({ ...app(), accessToken: token, shopCipher: cipher });

dialogue({
  link: ({ state }) => new TiktokModule(app()).generateAuthLink(undefined, state).url,
  exchange: async ({ code }) => (await new TiktokModule(app()).auth.getAccessToken({ auth_code: code })).data,
  refresh: async ({ token }) => (await new TiktokModule(app()).auth.refreshAccessToken({ refresh_token: token })).data,
  shops: async (given) => (await calling(given).shop.getAuthorizedShops()).data.shops,
  orders: async ({ page, ...given }) => {
    const query = { page_size: 20, ...(page ? { page_token: page } : {}) };
    const body = { create_time_ge: 1 };
    return (await calling(given).order.getOrderList({ query, body })).data;
  },
  products: async (given) =>
    (await calling(given).product.searchProducts({ query: { page_size: 100 }, body: { status: "ALL" } })).data,
  details: async ({ ids, ...given }) => (await calling(given).order.getOrderDetail({ ids })).data,
  set_stock: async ({ product, skus, ...given }) =>
    (await calling(given).product.updateProductInventory({ product_id: product, body: { skus } })).data,
  subscribe: async ({ topic, address, ...given }) =>
    (await calling(given).event.updateShopWebhook({ event_type: topic, address })).data,
});
