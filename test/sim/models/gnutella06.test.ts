import { gnutella06 } from '../../../sim/models/gnutella06.ts';
import { testModel } from '../../support/model-test.ts';

testModel(gnutella06);
