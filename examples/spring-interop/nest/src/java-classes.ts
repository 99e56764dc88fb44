import { type JavaClasses } from 'nestjs-redis-session/spring';

/** The classes of the Spring half of which Nest stores or changes objects, with their fields as Java declares them. */
export const javaClasses: JavaClasses = {
  'shop.Account': { email: 'String', department: 'String' },
  'shop.Wishlist': { owner: 'String', items: 'List<String>' },
};
