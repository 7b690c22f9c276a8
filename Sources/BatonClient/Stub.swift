enum BatonClientStub {}
