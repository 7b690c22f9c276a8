enum BatonNodeStub {}
