// Models of networks in which keys say who has what. See testModel().
import { STRUCTURED } from '../../support/model-families.ts';
import { testModel } from '../../support/model-test.ts';

for (const model of STRUCTURED) testModel(model);
