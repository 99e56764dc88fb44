import { describe, expect, it } from '@jest/globals';
import { isCredentialName } from './authentication.js';

describe('isCredentialName', () => {
  it.each([
    ...['password', 'Password', 'PASSWORD', 'passwordHash', 'hashedPassword', 'old_password'],
    ...['passwd', 'userPasswd', 'pass', 'userPass', 'user_pass', 'USER_PASS', 'pass-phrase'],
    ...['pwd', 'userPwd', 'userpwd', 'pwdHash', 'passcode', 'credential', 'credentials'],
    ...['hash', 'pinHash', 'pwhash', 'hashes', 'salt', 'passSalt', 'user_salt', 'otp', 'pin'],
    ...['secret', 'totpSecret', 'clientsecret', 'secretAnswer', 'secret_key', 'secrets'],
  ])('says yes to %s', (name) => {
    expect(isCredentialName(name)).toBe(true);
  });

  it.each([
    ...['accessToken', 'refresh_token', 'apiKey', 'idToken', 'passport', 'passportNumber'],
    ...['compass', 'bypass', 'boardingPassNumber', 'secretary', 'hashtag', 'hashtags', 'basalt'],
    ...['pinCode', 'pinned', 'name', 'username', 'id', 'email', 'passes', 'salted', '', '_'],
  ])('says no to %j', (name) => {
    expect(isCredentialName(name)).toBe(false);
  });
});
