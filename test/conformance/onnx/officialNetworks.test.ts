import { itAnswersAsOfficial } from './parity.js';

describe('networks of other authors on formula weights', () => {
  itAnswersAsOfficial('selavprpp-base-gem', 322, { images: 1 });
  itAnswersAsOfficial('mixvpr', 320);
  itAnswersAsOfficial('cosplace', 320, { golden: 'cosplace-resnet18' });
});
