// Models of networks whose nodes link to whom they like. See testModel().
import { UNSTRUCTURED } from '../../support/model-families.ts';
import { testModel } from '../../support/model-test.ts';

for (const model of UNSTRUCTURED) testModel(model);
