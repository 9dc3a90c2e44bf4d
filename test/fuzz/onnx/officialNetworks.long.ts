import { itAnswersAsOfficial } from '../../conformance/onnx/parity.js';

describe('all networks of other authors on formula weights', () => {
  itAnswersAsOfficial('selavprpp-base-gem', 322);
  itAnswersAsOfficial('selavprpp-base-gem', 322, { attention: 'plain' });
  itAnswersAsOfficial('selavprpp-base-boq', 322);
  itAnswersAsOfficial('selavprpp-base-salad', 322);
  itAnswersAsOfficial('selavprpp-large-gem', 322);
  itAnswersAsOfficial('selavprpp-large-boq', 322);
  itAnswersAsOfficial('selavprpp-large-salad', 322);
  itAnswersAsOfficial('boq-dinov2', 322);
  itAnswersAsOfficial('boq-resnet50', 384);
  itAnswersAsOfficial('salad', 322);
  itAnswersAsOfficial('salad-cm', 322);
  itAnswersAsOfficial('emvp-base', 322);
  itAnswersAsOfficial('emvp-large', 322);
  itAnswersAsOfficial('cricavpr', 224);
  itAnswersAsOfficial('cosplace', 320, { golden: 'cosplace-resnet50' });
  itAnswersAsOfficial('cosplace', 320, { golden: 'cosplace-resnet101' });
  itAnswersAsOfficial('cosplace', 320, { golden: 'cosplace-vgg16' });
  itAnswersAsOfficial('eigenplaces', 320, { golden: 'eigenplaces-resnet50' });
  itAnswersAsOfficial('eigenplaces', 320, { golden: 'eigenplaces-resnet101' });
  itAnswersAsOfficial('eigenplaces', 320, { golden: 'eigenplaces-vgg16' });
  itAnswersAsOfficial('convap', 320);
  itAnswersAsOfficial('gem', 320);
  itAnswersAsOfficial('netvlad', 320);
  itAnswersAsOfficial('netvlad', 320, { golden: 'netvlad-wpca128' });
  itAnswersAsOfficial('sfrs', 320);
});
