enum BatonTestKitStub {}
