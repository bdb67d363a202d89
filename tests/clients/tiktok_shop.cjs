// npm tiktok-shop: tokens and signatures; the calls themselves are left to its user and made with axios, its own
// dependency. Its HMAC is the one published function of these npm clients that a notice can be checked with.
"use strict";
const axios = require("axios");
const { default: TikTokShop } = require("tiktok-shop");
const { default: Common } = require("tiktok-shop/dist/common/common");
const dialogue = require("./dialogue.cjs");

const { APP_KEY: appKey, APP_SECRET: appSecret } = process.env;
const shop = new TikTokShop({ appKey, appSecret });

async function call(method, path, { token, cipher, query = {}, body }) {
  const given = { ...query, app_key: appKey, timestamp: Math.floor(Date.now() / 1000) };
  if (cipher) given.shop_cipher = cipher;
  const plain = Object.entries(given).map(([name, value]) => `${name}=${value}`).join("&");
  const { signature } = shop.signByUrl(`https://open-api.tiktokglobalshop.com${path}?${plain}`, body);
  const url = new URL(path, "https://open-api.tiktokglobalshop.com");
  url.search = new URLSearchParams({ ...given, sign: signature });
  const headers = { "content-type": "application/json", "x-tts-access-token": token };
  const { data } = await axios.request({ method, url: url.toString(), headers, data: body, validateStatus: () => true });
  if (data.code !== 0) throw Object.assign(new Error(data.message), { code: data.code });
  return data.data;
}

dialogue({
  exchange: async ({ code }) => (await shop.authCodeToken(code)).data,
  refresh: async ({ token }) => shop.refreshToken(token),
  shops: async (given) => (await call("GET", "/authorization/202309/shops", given)).shops,
  orders: async ({ page, size = 100, ...given }) => {
    const query = { page_size: size, ...(page ? { page_token: page } : {}) };
    return call("POST", "/order/202309/orders/search", { ...given, query, body: { create_time_ge: 1 } });
  },
  products: async (given) =>
    call("POST", "/product/202502/products/search", { ...given, query: { page_size: 100 }, body: { status: "ALL" } }),
  verify: ({ body, signature }) => Common.sha256Decoded(appKey + body, appSecret) === signature,
});
