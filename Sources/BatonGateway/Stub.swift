enum BatonGatewayStub {}
